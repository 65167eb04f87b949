/** How many requests, one after another, are answered before `work` is over. */
export async function answeredDuring(work: Promise<unknown>, ask: () => Promise<unknown>): Promise<number> {
  let isDone = false;
  const markDone = () => {
    isDone = true;
  };
  work.then(markDone, markDone);
  for (let count = 0; ; count += 1) {
    await ask();
    if (isDone) return count;
  }
}
