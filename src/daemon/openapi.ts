import * as z from "zod";
import * as api from "./api.js";
import type { Route } from "./router.js";

type Json = Record<string, unknown>;

const json = (schema: unknown): Json => ({ "application/json": { schema } });

/** The OpenAPI 3.1 document of the routes, from the schemas that check every request. */
export function openApiDocument(routes: readonly Route[]): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(route);
  return {
    openapi: "3.1.0",
    info: {
      title: "fastmig daemon",
      version: String(api.apiVersion),
      description:
        "Reached over a Unix socket by whoever may open it; the /peer routes also over one migration's TLS listener.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "http://localhost", description: "the daemon's socket" }],
    security: [],
    paths,
    components: { schemas: components() },
  };
}

function operation(route: Route): Json {
  const body = requestBody(route);
  return {
    operationId: operationId(route),
    summary: route.summary,
    ...parameters(route),
    ...(body === undefined ? {} : { requestBody: { required: true, content: body } }),
    responses: {
      [route.status]: { description: "done", content: json(referTo(route.response)) },
      "4XX": { description: "refused", content: json(referTo(api.ErrorBody)) },
    },
  };
}

function operationId({ method, path }: Route): string {
  const words = path.split(/[^A-Za-z]+/).filter((word) => word !== "" && word !== "id");
  return [method.toLowerCase(), ...words]
    .map((word, index) => (index === 0 ? word : word[0]?.toUpperCase() + word.slice(1)))
    .join("");
}

function requestBody(route: Route): Json | undefined {
  if (route.raw === true) return { "application/octet-stream": {} };
  return route.request === undefined ? undefined : json(referTo(route.request));
}

function parameters(route: Route): Json {
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: schemaOf(api.MigrationId),
  }));
  const fields = route.raw === true ? Object.keys(api.Segment.def.shape) : [];
  const inQuery = fields.map((name) => ({
    name,
    in: "query",
    required: true,
    schema: schemaOf(api.Segment.def.shape[name as never]),
  }));
  const all = [...inPath, ...inQuery];
  return all.length === 0 ? {} : { parameters: all };
}

/** The schemas that api.ts exports, by their names there. */
function named(): [string, z.core.$ZodType][] {
  return Object.entries(api).flatMap(([name, value]) => (typeof value === "object" ? [[name, value]] : []));
}

function components(): Json {
  return Object.fromEntries(named().map(([name, schema]) => [name, schemaOf(schema)]));
}

function referTo(schema: z.core.$ZodType): unknown {
  const name = named().find(([, known]) => known === schema)?.[0];
  return name === undefined ? schemaOf(schema) : { $ref: `#/components/schemas/${name}` };
}

function schemaOf(schema: z.core.$ZodType): unknown {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: "input" }) as Json;
  void $schema;
  return rest;
}
