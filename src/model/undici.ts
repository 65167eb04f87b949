// For a dynamic import: the package is CommonJS, of which the bundle would hand over only the default export.
export { ProxyAgent, request } from "undici";
