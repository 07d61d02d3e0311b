import * as z from "zod";
import * as api from "./api.js";
import type { Daemon } from "./daemon.js";
import type { Route } from "./router.js";
import { controlRoutes, peerRoutes } from "./routes/index.js";

type Json = Record<string, unknown>;

const json = (schema: unknown): Json => ({ "application/json": { schema } });

interface About {
  title: string;
  description: string;
  server: { url: string; description: string };
}

/** Of the daemon of a service. */
export function daemonDocument(): Json {
  const nobody = {} as Daemon;
  return openApiDocument([...controlRoutes(nobody), ...peerRoutes(nobody)], {
    title: "fastmig daemon",
    description:
      "Reached over a Unix socket by whoever may open it; the /peer routes also over one migration's TLS listener.",
    server: { url: "http://daemon", description: "whatever the name: the socket decides who answers" },
  });
}

/** The OpenAPI 3.1 document of the routes, from the schemas that check every request. */
export function openApiDocument(routes: readonly Route[], { title, description, server }: About): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(route);
  return {
    openapi: "3.1.0",
    info: {
      title,
      version: String(api.apiVersion),
      description,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [server],
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
    schema: referTo(api.MigrationId),
  }));
  const all = [...inPath, ...inQuery(route)];
  return all.length === 0 ? {} : { parameters: all };
}

function inQuery({ query }: Route): Json[] {
  if (query === undefined) return [];
  const { properties = {} } = z.toJSONSchema(query, { io: "input" });
  return Object.entries(properties).map(([name, schema]) => ({ name, in: "query", required: false, schema }));
}

/** The schemas that api.ts exports, by their names there; one that contains another refers to it. */
const registry = z.registry<{ id: string }>();
for (const [id, value] of Object.entries(api)) if (typeof value === "object") registry.add(value, { id });

const pointer = (id: string): string => `#/components/schemas/${id}`;

function components(): Json {
  const { schemas } = z.toJSONSchema(registry, { io: "input", uri: pointer });
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, embedded(schema)]));
}

function referTo(schema: z.core.$ZodType): unknown {
  const id = registry.get(schema)?.id;
  return id === undefined ? embedded(z.toJSONSchema(schema, { io: "input" })) : { $ref: pointer(id) };
}

/** Inside a document a schema needs neither a dialect nor an address of its own. */
function embedded(schema: object): Json {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== "$schema" && key !== "$id"));
}
