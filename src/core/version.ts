import manifest from "../../package.json" with { type: "json" };

declare const SALLYPORT_COMMIT: string | undefined;

export const version: string = manifest.version;
/** Set by the build; `source` in a checkout. */
export const commit: string = typeof SALLYPORT_COMMIT === "string" ? SALLYPORT_COMMIT : "source";
