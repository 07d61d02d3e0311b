import { registerHooks } from "node:module";

// Runs the sources as they are: where `./x.js` is not there, `./x.ts` is meant.
registerHooks({
  resolve(specifier, context, next) {
    try {
      return next(specifier, context);
    } catch (error) {
      if (error.code !== "ERR_MODULE_NOT_FOUND" || !/^\..*\.js$/.test(specifier)) throw error;
      return next(specifier.replace(/\.js$/, ".ts"), context);
    }
  },
});
