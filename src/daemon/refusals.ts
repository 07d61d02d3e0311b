import { messageOf } from "../errors.js";
import type { ErrorBody } from "./api.js";

/** What the daemon answers with an error status. `problems` go into the body. */
export class HttpError extends Error {
  readonly status: number;
  readonly code: string;
  readonly problems: readonly string[];

  constructor(status: number, code: string, message: string, problems: readonly string[] = []) {
    super(message);
    this.name = "HttpError";
    this.status = status;
    this.code = code;
    this.problems = problems;
  }
}

export class BadRequest extends HttpError {
  constructor(message: string, problems: readonly string[] = []) {
    super(400, "BAD_REQUEST", message, problems);
  }
}

export class NotFound extends HttpError {
  constructor(message: string) {
    super(404, "NOT_FOUND", message);
  }
}

/** It cannot be done in the state that things are in. */
export class Conflict extends HttpError {
  constructor(code: string, message: string) {
    super(409, code, message);
  }
}

/** What it is to whoever asked. */
export function refusalOf(thrown: unknown): HttpError {
  return thrown instanceof HttpError ? thrown : new HttpError(500, "INTERNAL", messageOf(thrown));
}

export function errorBody({ code, message, problems }: HttpError): ErrorBody {
  return { error: { code, message, ...(problems.length > 0 ? { problems: [...problems] } : {}) } };
}
