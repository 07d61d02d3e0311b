/** The service that is moved: megabytes of memory, and how many percent of them are written anew every second. */
export interface Load {
  megabytes: number;
  percent: number;
}

/** The and the seed's: 300 MB, of which 2 % are written every second, over a link of 100 MB/s. */
export const seedLoad: Load = { megabytes: 300, percent: 2 };
/** Bytes per second. */
export const seedRate = 100e6;
