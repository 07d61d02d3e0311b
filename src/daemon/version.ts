/** Set by the bundler from package.json; a daemon run from its sources is `0.0.0-source`. */
declare const FASTMIG_VERSION: string | undefined;

export const version: string = typeof FASTMIG_VERSION === "string" ? FASTMIG_VERSION : "0.0.0-source";
