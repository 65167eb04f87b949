/**
 * An address as it may be shown, whether it is a URL or only was meant as one: a password with a `#` or `?` that is not
 * encoded makes it none.
 */
export function withoutPassword(address: string): string {
  const user = URL.canParse(address) ? /^([^:/]*:\/\/)?[^?#]*@/ : /^([^:/]*:\/\/)?.*@/s;
  return address.replace(user, "$1***@");
}
