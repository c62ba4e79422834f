/** Files of pages, imported `with { type: "text" }`: the compiled executable has no directory to read them from. */
declare module "../../web/*.html" {
  const text: string;
  export default text;
}
declare module "../../web/*.css" {
  const text: string;
  export default text;
}
declare module "../../web/*.svg" {
  const text: string;
  export default text;
}
declare module "../sdk/*.css" {
  const text: string;
  export default text;
}
