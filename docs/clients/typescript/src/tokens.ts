/** Whose token is sent, and that a new one is fetched when it has run out. */
import type { paths } from "./generated/schema.js";

const REFRESH = "/api/v1/auth/token/refresh" satisfies keyof paths;

/**
 * The tokens of one sign-in, or an API key. Of several calls that meet a spent token, one refreshes it and the others wait
 * for that: a refresh token is good for one use, and using it again ends the sign-in.
 */
export class Tokens {
  private access: string | undefined;
  private refresh: string | undefined;
  private refreshing: Promise<void> | undefined;

  constructor(
    private readonly baseUrl: string,
    private readonly apiKey: string | undefined,
  ) {}

  /** Whether calls are made as somebody. */
  get isKnown(): boolean {
    return this.apiKey !== undefined || this.access !== undefined;
  }

  /** What ends the sign-in when it is handed to `logout`. */
  get ofRefresh(): string | undefined {
    return this.refresh;
  }

  /** From now on, send these; undefined for nobody's. */
  keep(access: string | undefined, refresh: string | undefined): void {
    this.access = access;
    this.refresh = refresh;
  }

  /** The header of a call, if it is made as somebody. */
  header(): string | undefined {
    if (this.apiKey !== undefined) return `Api-Key ${this.apiKey}`;
    return this.access === undefined ? undefined : `Bearer ${this.access}`;
  }

  /** Whether there is another token now than the one that was sent. */
  async renew(sent: string | undefined): Promise<boolean> {
    if (this.refresh === undefined || sent === undefined) return false;
    if (this.header() === sent) {
      this.refreshing ??= this.fetchAnother().finally(() => (this.refreshing = undefined));
      await this.refreshing;
    }
    return this.isKnown && this.header() !== sent;
  }

  private async fetchAnother(): Promise<void> {
    const response = await fetch(new URL(REFRESH, this.baseUrl), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ refresh: this.refresh }),
    });
    if (response.ok) {
      const { data } = (await response.json()) as { data: { access: string; refresh: string } };
      this.keep(data.access, data.refresh);
    } else if (response.status === 401) {
      // The sign-in is over only where the server says so; trouble on the way leaves it as it was.
      this.keep(undefined, undefined);
    }
  }
}
