import type { IncomingHttpHeaders } from "node:http";
import { type LocalAnswer, type LocalRequest, type LocalServer, runLocalServer } from "../host/providers/local-server.ts";
import { answerBy, type ProviderBehaviour, type ProviderReplies } from "../host/providers/protocol.ts";

/** A push that reached a local service. */
export interface ReceivedPush {
  /** The token of the device, or the endpoint of the browser. */
  readonly device: string;
  readonly headers: IncomingHttpHeaders;
  /** The message: of a browser, decrypted. */
  readonly message: unknown;
}

/** How a local service answers a push. */
export type PushAnswer = LocalAnswer;

/** Decides how a push is answered: `hang` leaves it without an answer, undefined leaves it to the service. */
export type AnswerPush = (push: ReceivedPush) => PushAnswer | "hang" | undefined;

/** A service that runs on this machine and speaks the protocol of one that delivers pushes. */
export interface PushService extends LocalServer {
  /** The pushes that were taken, oldest first. */
  readonly taken: readonly ReceivedPush[];
  /** Every push that it got, whatever it answered. */
  readonly received: readonly ReceivedPush[];
  /** How it answers from now on. @default "taking" */
  behaviour: ProviderBehaviour;
  /** From now on, decides on the answers, before `behaviour` does. */
  answerWith(answer: AnswerPush): void;
  /** From now on, says that a device is gone. */
  forget(device: string): void;
}

/** The part of a service that is its own protocol. */
export interface ServiceProtocol {
  /** Reads a push, or answers what is none, or not allowed. */
  read(request: LocalRequest): ReceivedPush | PushAnswer;
  /** How it says that it took a push. */
  readonly taken: (push: ReceivedPush) => PushAnswer;
  readonly replies: ProviderReplies;
}

/** Runs a service on a free port of this machine. */
export async function runService(protocol: ServiceProtocol, options: { readonly http2?: boolean } = {}): Promise<PushService> {
  const received: ReceivedPush[] = [];
  const taken: ReceivedPush[] = [];
  const gone = new Set<string>();
  let decide: AnswerPush = () => undefined;
  const take = (push: ReceivedPush) => {
    taken.push(push);
    return protocol.taken(push);
  };
  const server = await runLocalServer((request) => {
    const read = protocol.read(request);
    if ("status" in read) {
      return read;
    }
    received.push(read);
    if (gone.has(read.device)) {
      return protocol.replies.gone;
    }
    const decided = decide(read);
    return decided === "hang" ? null : (decided ?? answerBy(service.behaviour, protocol.replies, () => take(read)));
  }, options);
  const service: PushService = {
    ...server,
    taken,
    received,
    behaviour: "taking",
    answerWith(answer) {
      decide = answer;
    },
    forget: (device) => gone.add(device),
  };
  return service;
}
