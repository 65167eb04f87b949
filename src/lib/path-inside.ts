import path from "node:path";

/** True when `child` is `parent` or lies below it; both absolute, judged by their spelling alone. */
export function isInside(child: string, parent: string): boolean {
  const relative = path.relative(parent, child);
  return relative === "" || (relative !== ".." && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative));
}
