/** `true` only when both types describe the same values; for schemas, which must agree with the types of the wire. */
export type Same<A, B> = Identical<Plain<A>, Plain<B>>;

type Identical<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Read-only throughout, and interfaces as what they hold. */
export type Plain<T> = unknown extends T
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Plain<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: Plain<T[Key]> }
      : T;
