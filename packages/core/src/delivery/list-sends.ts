import type { Issue } from "../foundation/errors.ts";
import { validationError } from "../foundation/issue-list.ts";
import { NAME_RULE, textIssue } from "../foundation/parse-text.ts";
import type { DeliveryContext } from "./context.ts";
import type { SendPage, SendQuery } from "./send.ts";

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 100;
const SORTS = ["created_at", "-created_at", "status"];
const STATUSES = ["pending", "sent", "delivered", "failed", "partial", "cancelled"];

/** The filter and page of a list of sends. All given conditions must hold. `limit` is 1 to 100, 50 if left out. Newest first. */
export type ListSendsInput = Partial<SendQuery>;

/** Returns a page of sends. Throws `VALIDATION_ERROR`. */
export async function listSends(context: DeliveryContext, tenant: string, input: ListSendsInput): Promise<SendPage> {
  const query: SendQuery = { ...input, sort: input.sort ?? "-created_at", offset: input.offset ?? 0, limit: input.limit ?? DEFAULT_LIMIT };
  const issues = queryIssues(query);
  if (issues.length > 0) {
    throw validationError(issues);
  }
  using _call = await context.ready();
  return context.deliveries.listSends(tenant, query);
}

function queryIssues(query: SendQuery): Issue[] {
  const { sort, offset, limit, status, channel, roomId, recipient, createdAfter, createdBefore } = query;
  return [
    ...unless(Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT, [
      "limit",
      `must be a whole number from 1 to ${MAX_LIMIT}, is ${limit}`,
    ]),
    ...unless(Number.isSafeInteger(offset) && offset >= 0, ["offset", `must be a whole number from 0, is ${offset}`]),
    ...unless(SORTS.includes(sort), ["sort", `must be one of ${SORTS.join(", ")}`]),
    ...unless(status === undefined || STATUSES.includes(status), ["status", `must be one of ${STATUSES.join(", ")}`]),
    ...textIssues({ channel, roomId, recipient }),
    ...Object.entries({ createdAfter, createdBefore }).flatMap(([name, time]) =>
      unless(time === undefined || !Number.isNaN(time.getTime()), [name, "must be a time"]),
    ),
  ];
}

function unless(isFine: boolean, [field, message]: readonly [string, string]): Issue[] {
  return isFine ? [] : [{ path: [field], type: "value_error", message }];
}

function textIssues(texts: Readonly<Record<string, string | undefined>>): Issue[] {
  return Object.entries(texts).flatMap(([name, value]) => {
    const issue = value === undefined ? null : textIssue(value, [name], { ...NAME_RULE, maxLength: 4_096 });
    return issue ? [issue] : [];
  });
}
