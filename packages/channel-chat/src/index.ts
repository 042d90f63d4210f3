export type { Credential, HttpChannelOptions } from "@belfry/egress";
export { type DiscordMessage, type DiscordOptions, discord } from "./discord.ts";
export { type SlackMessage, type SlackOptions, slack } from "./slack.ts";
export { type TeamsCard, type TeamsOptions, teams } from "./teams.ts";
export { type TelegramMessage, type TelegramOptions, telegram } from "./telegram.ts";
export { type WhatsappMessage, type WhatsappOptions, whatsapp } from "./whatsapp.ts";
