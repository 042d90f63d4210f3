import { createHash, createHmac } from "node:crypto";

/** The keys of an AWS identity. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials. */
  readonly sessionToken?: string;
}

/** A POST to a service of AWS. */
export interface AwsRequest {
  readonly url: string;
  readonly service: string;
  readonly region: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly nowMs: number;
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();

/** Signs a POST without a query by Signature Version 4. @returns all its headers but `Host`, which the client sets */
export function signAws({ url, service, region, headers, body, nowMs }: AwsRequest, credentials: AwsCredentials): Record<string, string> {
  const { host, pathname } = new URL(url);
  const time = new Date(nowMs).toISOString().replaceAll(/[:-]|\.\d{3}/g, "");
  const token = credentials.sessionToken === undefined ? {} : { "X-Amz-Security-Token": credentials.sessionToken };
  const sent: Record<string, string> = { ...headers, "X-Amz-Date": time, ...token };
  const lines = Object.entries({ ...sent, Host: host })
    .map(([name, value]) => [name.toLowerCase(), value.trim()] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  const names = lines.map(([name]) => name).join(";");
  const canonical = ["POST", pathname, "", ...lines.map((line) => line.join(":")), "", names, sha256(body)].join("\n");
  const scope = [time.slice(0, 8), region, service, "aws4_request"];
  const key = scope.reduce<string | Buffer>((made, part) => hmac(made, part), `AWS4${credentials.secretAccessKey}`);
  const signature = hmac(key, ["AWS4-HMAC-SHA256", time, scope.join("/"), sha256(canonical)].join("\n")).toString("hex");
  const credential = `Credential=${credentials.accessKeyId}/${scope.join("/")}`;
  return { ...sent, Authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names}, Signature=${signature}` };
}
