/** Makes equal what differs from run to run: places, ids, times and durations. */
export function masked(text: string, run: { readonly work: string; readonly home: string }): string {
  return text
    .replaceAll(run.work, "<WS>")
    .replaceAll(run.home, "<HOME>")
    .replace(/\b[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}\b/g, "<ID>")
    .replace(/\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\]/g, "[<TIME>]")
    .replace(/\b(in|after) (?:\d+ms|\d+\.\d\ds)(?=[:…\s]|$)/g, "$1 <DURATION>");
}
