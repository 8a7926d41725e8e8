/** As `require`; tests bring their own. */
export type RequirePackage = (name: string) => unknown
