export type Argv = readonly string[];

/** One word for a POSIX shell. The only place where quoting happens. */
export function quote(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A command line for a POSIX shell, as it is sent over SSH, printed and logged. */
export function commandLine(argv: Argv): string {
  return argv.map(quote).join(" ");
}
