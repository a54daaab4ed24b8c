/** What the API refuses, as an exception with its code. */
import type { components } from "./generated/schema.js";

export type ErrorCode = components["schemas"]["ErrorCode"];

/**
 * An answer that is an error. `code` is what programs go by; `message` is for people and may change. A server newer than
 * this client can send a code that `ErrorCode` does not know: have a `default`. `retryAfter` is in seconds.
 */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly status: number,
    readonly code: ErrorCode,
    message: string,
    readonly details: Readonly<Record<string, unknown>>,
    readonly requestId: string,
    readonly retryAfter: number | undefined,
  ) {
    super(message);
  }
}

/** The error that an answer tells, also where something in between answered that is not Outlast. */
export async function errorOf(response: Response): Promise<ApiError> {
  const wait = response.headers.get("Retry-After") ?? "";
  const retryAfter = /^\d+$/.test(wait) ? Number(wait) : undefined;
  const requestId = response.headers.get("X-Request-ID") ?? "";
  const told = toldBy(await response.text());
  return new ApiError(response.status, told.code, told.message || response.statusText, told.details, requestId, retryAfter);
}

interface Told {
  code: ErrorCode;
  message: string;
  details: Record<string, unknown>;
}

function toldBy(text: string): Told {
  try {
    const body = JSON.parse(text) as { error?: Partial<Told> };
    const { code, message = "", details = {} } = body.error ?? {};
    if (code !== undefined) return { code, message, details };
  } catch {
    // No JSON: a proxy's page.
  }
  return { code: "INTERNAL_ERROR", message: "", details: {} };
}
