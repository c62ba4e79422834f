import { bundled } from "./bundle.ts" with { type: "macro" };

/** The script of /try with React and the SDK in it. Import this file at run time: translating it takes a while. */
export const tryScript: string = bundled("../../web/try/main.tsx");
