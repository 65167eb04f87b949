/** Whether a key, token or id can be sent in a header; one that cannot would keep every request from being sent. */
export function fitsHeader(text: string): boolean {
  return !/[^\x21-\x7e]/.test(text);
}
