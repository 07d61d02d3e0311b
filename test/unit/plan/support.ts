import { FastmigError } from "../../../src/errors.js";
import { parsePlan } from "../../../src/plan/load.js";

/** A sound plan to break in one place at a time. */
export const base = `version: 1
nodes:
  a: { host: 192.0.2.11 }
  b: { ssh: node-b, transferPorts: 7900-7919 }
services:
  counter:
    image: localhost/counter:1
    command: [python3, /srv/counter.py]
    run: { publish: ["8080:80"] }
  other:
    image: localhost/other:1
    command: [other]
migrations:
  - { service: counter, from: a, to: b }
`;

/** The base plan with one text in place of another, which must be there. */
export function edited(from: string, to: string): string {
  if (!base.includes(from)) throw new Error(`the base plan holds no ${from}`);
  return base.replace(from, to);
}

/** What is wrong with a plan called p.yaml, a line each; empty where it is sound. */
export function problemsOf(text: string): readonly string[] {
  try {
    parsePlan(text, "p.yaml");
    return [];
  } catch (thrown) {
    if (thrown instanceof FastmigError) return thrown.details;
    throw thrown;
  }
}
