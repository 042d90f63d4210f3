import type { ActivityDelivery, ChannelInfo, MessagePreview } from "@belfry/core";
import { useState } from "preact/hooks";
import type { Json } from "../../src/wire.ts";
import { Button, SelectField } from "../parts/fields.tsx";
import { FailureNote, Loading } from "../parts/states.tsx";
import { apiUrl, get } from "../state/api.ts";
import { useResource } from "../state/resource.ts";

type Delivery = Json<ActivityDelivery>;

/** Shows what the message of a delivery says, for deliveries over channels that show it. */
export function MailPreview({ deliveries }: { readonly deliveries: readonly Delivery[] }) {
  const channels = useResource("channels", (signal) => get<{ readonly channels: readonly ChannelInfo[] }>("channels", {}, signal));
  const showing = new Set(channels.value?.channels.flatMap(({ name, hasPreview }) => (hasPreview ? [name] : [])));
  const shown = deliveries.filter(({ channel }) => showing.has(channel));
  const [chosen, choose] = useState<string | null>(null);
  const [isOpen, setOpen] = useState(false);
  const [first] = shown;
  if (first === undefined) {
    return null;
  }
  const id = chosen ?? first.id;
  return (
    <section class="card" aria-labelledby="message-title" data-testid="message">
      <h2 id="message-title">Message</h2>
      {shown.length < 2 ? null : (
        <SelectField
          label="To"
          name="message-to"
          value={id}
          options={shown.map((one) => [one.id, `${one.recipient} over ${one.channel}`] as const)}
          onChoose={choose}
        />
      )}
      {isOpen ? <Message key={id} id={id} /> : <Button onPress={() => setOpen(true)}>Show the message</Button>}
    </section>
  );
}

function Message({ id }: { readonly id: string }) {
  const preview = useResource(id, (signal) => get<MessagePreview>(`deliveries/${encodeURIComponent(id)}/preview`, {}, signal));
  if (preview.value === null) {
    return preview.failure === null ? (
      <Loading what="the message" rows={3} />
    ) : (
      <FailureNote failure={preview.failure} what="The message cannot be shown." onRetry={preview.reload} />
    );
  }
  const { subject, text, html } = preview.value;
  return (
    <>
      <p class="contents-title">{subject || "(no subject)"}</p>
      {html === null ? null : (
        <>
          <iframe
            class="mail"
            title={`The message: ${subject}`}
            src={apiUrl(`deliveries/${encodeURIComponent(id)}/mail`)}
            sandbox=""
            referrerpolicy="no-referrer"
            loading="lazy"
          />
          <p class="muted">Rendered anew, without pictures from elsewhere, code, and the link to unsubscribe.</p>
        </>
      )}
      <details open={html === null}>
        <summary>Text</summary>
        <pre>{text || "(no text)"}</pre>
      </details>
    </>
  );
}
