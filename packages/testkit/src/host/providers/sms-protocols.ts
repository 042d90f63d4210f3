import { fieldOf, type Protocol, RETRY_AFTER } from "./protocol.ts";

const ofTwilio = (status: number, code: number, message: string) => ({ status, body: { code, message, status } });

export const twilio: Protocol = {
  recipientOf: (request) => fieldOf(request, "To"),
  taking: () => ({ status: 201, body: { sid: "SM00000000000000000000000000000001", status: "queued", num_segments: "1" } }),
  replies: {
    limited: { ...ofTwilio(429, 20_429, "Too Many Requests"), headers: RETRY_AFTER },
    unauthorized: ofTwilio(401, 20_003, "Authenticate"),
    refused: ofTwilio(400, 21_211, "Invalid 'To' Phone Number"),
    gone: ofTwilio(400, 21_610, "Attempt to send to unsubscribed recipient"),
  },
};

const ofVonage = (status: string, text: string) => ({
  status: 200,
  body: { "message-count": "1", messages: [{ status, "error-text": text }] },
});

/** Every answer has the status 200, and says in the body what became of each part. */
export const vonage: Protocol = {
  recipientOf: (request) => fieldOf(request, "to"),
  taking: (request) => ({
    status: 200,
    body: { "message-count": "1", messages: [{ to: fieldOf(request, "to"), "message-id": "0A0000000123ABCD1", status: "0" }] },
  }),
  replies: {
    limited: { ...ofVonage("1", "Throughput Rate Exceeded"), headers: RETRY_AFTER },
    unauthorized: ofVonage("4", "Bad Credentials"),
    refused: ofVonage("6", "Invalid Message"),
    gone: ofVonage("7", "Number Barred"),
  },
};

const ofAws = (status: number, code: string, message: string) => ({
  status,
  headers: { "Content-Type": "text/xml" },
  body: `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
});

/** It answers in XML. */
export const sns: Protocol = {
  recipientOf: (request) => fieldOf(request, "PhoneNumber"),
  taking: () => ({
    status: 200,
    headers: { "Content-Type": "text/xml" },
    body: "<PublishResponse><PublishResult><MessageId>94f20ce6-13c5-43a0-9a9e-ca52d816e90b</MessageId></PublishResult></PublishResponse>",
  }),
  replies: {
    limited: { ...ofAws(400, "Throttling", "Rate exceeded"), headers: { "Content-Type": "text/xml", ...RETRY_AFTER } },
    unauthorized: ofAws(403, "ExpiredToken", "The security token included in the request is expired"),
    refused: ofAws(400, "InvalidParameterValue", "Invalid parameter: Message too long"),
    gone: ofAws(400, "InvalidParameter", "Invalid parameter: phone number is opted out"),
  },
};
