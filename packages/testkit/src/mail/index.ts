export { type SesEvent, type SesTopic, type SnsRequest, sesTopic } from "./ses-topic.ts";
export { type MailReport, type SmtpService, smtpService, type TakenMail } from "./smtp-service.ts";
