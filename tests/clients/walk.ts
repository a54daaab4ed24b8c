/**
 * The whole main job by the generated TypeScript client: what `walk.py` does, step by step.
 *
 *     node walk.js '{"base": …, "mail": …, "email": …, "password": …, "boss": …, "pool": …, "team": …, "round": 1}'
 */
import { readdirSync, readFileSync } from "node:fs";
import { join as joined } from "node:path";

import { answered, ApiError, Outlast } from "outlast-client";

// eslint-disable-next-line @typescript-eslint/no-explicit-any
const told: any = JSON.parse(process.argv[2] ?? "{}");
const patience = { attempts: 5, firstWait: 50, longestWait: 30_000 };

async function waitFor<T>(question: () => T | undefined | null | Promise<T | undefined | null>): Promise<T> {
  for (let attempt = 0; attempt < 150; attempt += 1) {
    const answer = await question();
    if (answer !== undefined && answer !== null) return answer;
    await new Promise((resume) => setTimeout(resume, 200));
  }
  throw new Error(`never: ${question}`);
}

/** What the call is refused with. */
async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ApiError) return error.code;
    throw error;
  }
  return "";
}

function tokenInMail(): string | undefined {
  for (const name of readdirSync(told.mail).filter((file) => file.endsWith(".eml"))) {
    const text = readFileSync(joined(told.mail, name), "utf-8").replaceAll("=\n", "").replaceAll("=3D", "=");
    const found = /verify-email\?token=([\w:.-]+)/.exec(text)?.[1];
    if (found !== undefined && text.includes(told.email)) return found;
  }
  return undefined;
}

async function signUp(outlast: Outlast): Promise<string> {
  const body = {
    email: told.email, password: told.password, display_name: "Tia", date_of_birth: "1990-05-17", country: "US" as const,
  };
  // Nobody is signed in, so it is not tried again by itself: the first attempt stumbles.
  const refused = await codeOf(outlast.api.POST("/api/v1/auth/register", { body }));
  await answered(outlast.api.POST("/api/v1/auth/register", { body }));
  const token = await waitFor(tokenInMail);
  const { data } = await answered(outlast.api.POST("/api/v1/auth/verify-email", { body: { token } }));
  if (!data.user.email_verified) throw new Error("not verified");
  await outlast.signIn(told.email, told.password);
  return refused;
}

async function join(player: Outlast, boss: Outlast): Promise<{ request: number; number: number; entry: number }> {
  const { data: asked } = await answered(
    player.api.POST("/api/v1/pools/{pool_id}/requests", { params: { path: { pool_id: told.pool } } }),
  );
  const { data: decisions } = await answered(
    boss.api.POST("/api/v1/requests/approve", { body: { requests: [asked.id] } }),
  );
  if (decisions[0]?.decided !== true) throw new Error(JSON.stringify(decisions));
  const path = { id: asked.id };
  const { data: payment } = await answered(
    player.api.POST("/api/v1/requests/{id}/payment", {
      params: { path, header: { "Idempotency-Key": crypto.randomUUID() } },
    }),
  );
  const paid = await fetch(`${payment.checkout_url}/pay`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ card: "4242424242424242" }),
  });
  if (!paid.ok) throw new Error(`the double answered ${paid.status}`);
  const entry = await waitFor(
    async () => (await answered(player.api.GET("/api/v1/requests/{id}", { params: { path } }))).data.entry,
  );
  return { request: asked.id, number: asked.number, entry };
}

async function main(): Promise<object> {
  const player = new Outlast(told.base, { patience });
  const boss = new Outlast(told.base, { patience });
  const refused = await signUp(player);
  await boss.signIn(told.boss, told.password);
  const pools = (await answered(player.api.GET("/api/v1/pools"))).data.map((pool) => pool.id);
  const place = await join(player, boss);
  const path = { entry_id: place.entry, number: told.round };
  const pick = (team: string) => player.api.PUT("/api/v1/entries/{entry_id}/picks/{number}", { params: { path }, body: { team } });
  const saved = (await answered(pick(told.team))).data;
  player.tokens.keep("spent", player.tokens.ofRefresh);
  // Both at once meet the spent token: one of them fetches another, and the other one waits for it.
  const [requests] = await Promise.all([
    answered(player.api.GET("/api/v1/requests")), answered(player.api.GET("/api/v1/entries")),
  ]);
  const standings = await answered(
    player.api.GET("/api/v1/pools/{pool_id}/standings", { params: { path: { pool_id: told.pool } } }),
  );
  const result = {
    ...place,
    pools,
    register_refused: refused,
    picked: saved.team,
    wrong_team: await codeOf(pick("NOBODY")),
    strangers: await codeOf(player.api.GET("/api/v1/entries/{id}", { params: { path: { id: 10 ** 9 } } })),
    requests: requests.data.length,
    standings: standings.data.map((row) => row.entry),
  };
  await player.signOut();
  return { ...result, signed_out: await codeOf(player.api.GET("/api/v1/requests")) };
}

console.log(JSON.stringify(await main()));
