/** Start and id of the last session of a page. On its own, for a command line is checked before a start reads sessions. */
export const cursorPattern = /^(\d{4}(?:-\d\d){2}T\d\d(?:-\d\d){2})\|(\S+)$/;
