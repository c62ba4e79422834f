/** The password list alone; the package's own door would unpack its word list and its keyboards as well. */
declare module "@zxcvbn-ts/language-common/dist/passwords.json.mjs" {
  const passwords: readonly string[];
  export default passwords;
}
