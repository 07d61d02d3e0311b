export type Fields = Record<string, unknown>;

export interface Log {
  info(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
}

/** One JSON object a line on stderr: the container's log. */
export const log: Log = {
  info: (message, fields) => write("info", message, fields),
  error: (message, fields) => write("error", message, fields),
};

function write(level: string, message: string, fields: Fields = {}): void {
  process.stderr.write(
    `${JSON.stringify({ at: new Date().toISOString(), level, from: "fastmig", message, ...fields })}\n`,
  );
}
