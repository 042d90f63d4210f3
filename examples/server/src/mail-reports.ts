import { type MailReceiptsOptions, mailReceipts } from "@belfry/mail-receipts";
import { type Environment, isAsked, made, type SetUp } from "./set-up.ts";

/** The providers that report what became of mails, each with what tells its webhooks from others. */
const PROVIDERS: readonly SetUp<MailReceiptsOptions>[] = [
  {
    needs: ["SES_TOPIC_ARNS"],
    make({ SES_TOPIC_ARNS = "" }) {
      const topicArns = SES_TOPIC_ARNS.split(",").map((arn) => arn.trim());
      return { ses: { topicArns: topicArns.filter((arn) => arn !== "") } };
    },
  },
  { needs: ["SENDGRID_WEBHOOK_KEY"], make: ({ SENDGRID_WEBHOOK_KEY = "" }) => ({ sendgrid: { publicKey: SENDGRID_WEBHOOK_KEY } }) },
  {
    needs: ["POSTMARK_WEBHOOK_USER", "POSTMARK_WEBHOOK_PASSWORD"],
    make: ({ POSTMARK_WEBHOOK_USER: user = "", POSTMARK_WEBHOOK_PASSWORD: password = "" }) => ({ postmark: { user, password } }),
  },
  { needs: ["MAILGUN_WEBHOOK_KEY"], make: ({ MAILGUN_WEBHOOK_KEY = "" }) => ({ mailgun: { signingKey: MAILGUN_WEBHOOK_KEY } }) },
];

/** Whose webhooks the environment sets up; null for none. @throws Error that names the variable, the fault and the remedy */
export function mailReportsOf(env: Environment): MailReceiptsOptions | null {
  const asked = PROVIDERS.filter((provider) => isAsked(provider, env));
  const given = asked.map((provider) =>
    made(provider, env, () => {
      const options = provider.make(env, { allowPrivate: false });
      // What is wrong with a key is told by its own variables.
      mailReceipts(options);
      return options;
    }),
  );
  return given.length === 0 ? null : Object.assign({}, ...given);
}
