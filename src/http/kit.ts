import kit from "../../web/kit/kit.css" with { type: "text" };
import tokens from "../sdk/react/tokens.css" with { type: "text" };
import fallback from "../sdk/react/tokens-fallback.gen.css" with { type: "text" };
import { type Asset, asset } from "./assets.ts";

/** The stylesheet of every page: the design tokens and the shared rules. */
export const kitStylesheet = (): Asset => asset("kit.css", `${tokens}${fallback}${kit}`);
