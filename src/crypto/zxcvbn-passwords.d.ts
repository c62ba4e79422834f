/** Declares the password list alone. The package's main entry would also unpack its word list and its keyboards. */
declare module "@zxcvbn-ts/language-common/dist/passwords.json.mjs" {
  const passwords: readonly string[];
  export default passwords;
}
