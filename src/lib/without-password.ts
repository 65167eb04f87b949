/** An address as it may be shown, whether it is a URL or only was meant as one. */
export function withoutPassword(address: string): string {
  return address.replace(/^([^:/]*:\/\/)?[^?#]*@/, "$1***@");
}
