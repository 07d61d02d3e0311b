/**
 * Imported before every schema. zod writes a program for each schema when it is first used, which pays where it is used often;
 * the daemon uses most of them once, in a freeze, and a program of its own took one 5 to 10 ms on an emulated machine.
 */
import { config } from "zod/mini";

config({ jitless: true });
