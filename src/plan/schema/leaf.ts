import * as z from "zod";
import { messageOf } from "../../errors.js";

export interface About {
  description?: string;
  default?: unknown;
  examples?: unknown[];
}

type Reader = (text: string) => unknown;

/** Text that a reader can read; the reader's refusal is the problem. */
export function formed(read: Reader, about: About): z.ZodString {
  const refusal = (value: unknown): string | undefined => {
    try {
      read(String(value));
      return undefined;
    } catch (thrown) {
      return messageOf(thrown);
    }
  };
  return z
    .string({ error: (issue) => (typeof issue.input === "number" ? refusal(issue.input) : undefined) })
    .superRefine((text, context) => {
      const message = refusal(text);
      if (message !== undefined) context.addIssue({ code: "custom", message, input: text });
    })
    .meta({ ...about });
}

/** A number of `read`ers' units that must be more than nothing. */
export function positive(read: (text: string) => number): (text: string) => number {
  return (text) => {
    const value = read(text);
    if (value > 0) return value;
    throw new Error(`"${text}" is nothing: it has to be more than 0`);
  };
}

/** One of a few words. */
export function choice<const T extends readonly string[]>(
  words: T,
  about: About,
): z.ZodEnum<{ [K in T[number]]: K }> {
  return z.enum(words).meta({ ...about });
}

/** A whole number from `least` to `most`. */
export function whole(least: number, most: number, about: About): z.ZodNumber {
  const message = `has to be a whole number from ${least} to ${most}`;
  return z
    .number()
    .int(message)
    .min(least, message)
    .max(most, message)
    .meta({ ...about });
}

/** Keys of which exactly one has to be there. Looks at keys alone, so it speaks up even where a value is wrong too. */
export function exactlyOne<T extends z.ZodObject>(schema: T, keys: readonly string[]): T {
  const message = `needs exactly one of ${keys.join(", ")}`;
  const oneOf = keys.map((key) => ({ required: [key] }));
  return schema
    .refine((value) => keys.filter((key) => Object.hasOwn(value, key)).length === 1, {
      error: message,
      when: isObject,
    })
    .meta({ oneOf });
}

export function isObject(payload: { value: unknown }): boolean {
  return typeof payload.value === "object" && payload.value !== null && !Array.isArray(payload.value);
}
