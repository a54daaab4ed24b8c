/** A connection to Outlast: what the typed calls are made through. */
import createClient, { type Client } from "openapi-fetch";

import { type ApiError, errorOf } from "./errors.js";
import type { paths } from "./generated/schema.js";
import { afterError, afterTrouble, type Patience, REPEATABLE_METHODS, USUAL_PATIENCE } from "./retrying.js";
import { Tokens } from "./tokens.js";

const KEY = "Idempotency-Key";

export interface Options {
  apiKey?: string;
  language?: string;
  patience?: Patience;
}

/**
 * One caller's connection. Errors are thrown as `ApiError`. Calls that change nothing when made twice are made again when
 * the network or the server fails: reads, PUT, DELETE, and each POST of somebody signed in, which gets an
 * `Idempotency-Key` if it has none. Other calls are made once.
 */
export class Outlast {
  readonly api: Client<paths>;
  readonly tokens: Tokens;
  private readonly patience: Patience;

  constructor(baseUrl: string, options: Options = {}) {
    this.tokens = new Tokens(baseUrl, options.apiKey);
    this.patience = options.patience ?? USUAL_PATIENCE;
    const headers = { "Accept-Language": options.language ?? "en" };
    this.api = createClient<paths>({ baseUrl, headers, fetch: (request) => this.send(request) });
  }

  /** Make all further calls as this person. The password is not kept. */
  async signIn(email: string, password: string, otp?: string): Promise<void> {
    const body = otp === undefined ? { email, password } : { email, password, otp };
    const { data } = await answered(this.api.POST("/api/v1/auth/token", { body }));
    this.tokens.keep(data.access, data.refresh);
  }

  /** End the sign-in, here and at the server. */
  async signOut(): Promise<void> {
    const refresh = this.tokens.ofRefresh;
    if (refresh !== undefined) await this.api.POST("/api/v1/auth/logout", { body: { refresh } });
    this.tokens.keep(undefined, undefined);
  }

  private async send(request: Request): Promise<Response> {
    if (request.method === "POST" && this.tokens.isKnown && !request.headers.has(KEY)) {
      request.headers.set(KEY, crypto.randomUUID());
    }
    for (let attempt = 1; ; attempt += 1) {
      const [response, trouble] = await this.attempt(request);
      if (response?.ok) return response;
      const error: ApiError | undefined = response && (await errorOf(response));
      const wait = error ? afterError(this.patience, attempt, error) : afterTrouble(this.patience, attempt);
      if (wait === undefined || !this.isRepeatable(request)) throw error ?? trouble;
      await new Promise((resume) => setTimeout(resume, wait));
    }
  }

  /** The answer, or what went wrong on the way to it. */
  private async attempt(request: Request): Promise<[Response, undefined] | [undefined, unknown]> {
    try {
      const sent = this.tokens.header();
      const response = await fetch(this.signed(request));
      if (response.status !== 401 || !(await isSpent(response)) || !(await this.tokens.renew(sent))) {
        return [response, undefined];
      }
      return [await fetch(this.signed(request)), undefined];
    } catch (trouble) {
      return [undefined, trouble];
    }
  }

  /** A copy to be sent, for a body can be read once. */
  private signed(request: Request): Request {
    const copy = request.clone();
    const header = this.tokens.header();
    if (header !== undefined) copy.headers.set("Authorization", header);
    return copy;
  }

  /** Only the key of somebody known is heeded: without a sign-in a second POST would be a second act. */
  private isRepeatable(request: Request): boolean {
    return REPEATABLE_METHODS.has(request.method) || (request.headers.has(KEY) && this.tokens.isKnown);
  }
}

async function isSpent(response: Response): Promise<boolean> {
  return (await errorOf(response.clone())).code === "TOKEN_INVALID";
}

/** The answer, which is there: whatever is no good answer has been thrown. */
export async function answered<T>(call: Promise<{ data?: T }>): Promise<T> {
  const { data } = await call;
  if (data === undefined) throw new TypeError("this operation answers with nothing");
  return data;
}
