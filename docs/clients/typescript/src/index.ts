/**
 * The TypeScript client of Outlast: typed calls by openapi-fetch over generated types, and what makes them reliable.
 *
 *     const outlast = new Outlast("https://pools.example.com");
 *     await outlast.signIn("ann@example.com", "…");
 *     const pools = await answered(outlast.api.GET("/api/v1/pools", { params: { query: { status: "open" } } }));
 */
export { ApiError, type ErrorCode } from "./errors.js";
export { answered, Outlast, type Options } from "./connection.js";
export { type Patience, USUAL_PATIENCE } from "./retrying.js";
export type { components, operations, paths } from "./generated/schema.js";
