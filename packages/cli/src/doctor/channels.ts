import { type Check, type Finding, fine } from "./finding.ts";

/** Looks at the channels: which there are, whether they can be used, and what is paused. */
export const lookAtChannels: Check = async ({ isApplications, tenant }) => {
  const pauses = (await tenant.operator.pauses.list()).map(({ channel, recipient, actor, pausedAt }): Finding => {
    const what = channel === null ? "Every channel" : recipient === null ? `The channel ${channel}` : `${recipient} over ${channel}`;
    const message = `${what} has been paused by ${actor === "" ? "somebody" : actor} since ${pausedAt.toISOString()}.`;
    return { level: "warning", about: "channels", message, remedy: "Resume it on the dashboard, or with operator.pauses.resume." };
  });
  if (!isApplications) {
    const message = "The channels are not known: this looks at a database alone.";
    return [
      ...pauses,
      { level: "note", about: "channels", message, remedy: "Export your service from belfry.config.ts to have them looked at." },
    ];
  }
  const channels = tenant.channels();
  const lacking = channels
    .filter(({ isConfigured }) => !isConfigured)
    .map(
      ({ name }): Finding => ({
        level: "warning",
        about: "channels",
        message: `The channel ${name} cannot be used for the tenant ${tenant.tenantId}.`,
        remedy: "Give it a provider for that tenant.",
      }),
    );
  return [fine("channels", `${channels.map(({ name }) => name).join(", ")}.`), ...lacking, ...pauses];
};
