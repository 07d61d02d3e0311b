/** What the seed's server answers to `POST /verify`. */
export interface SeedAccount {
  pages: number;
  /** Numbers of pages that do not hold what was written to them, ten at most. */
  wrong: number[];
  /** Pages written since it started: an older memory has fewer. */
  writes: number;
  /** A checksum of all that is never written again. */
  rest: number;
}
