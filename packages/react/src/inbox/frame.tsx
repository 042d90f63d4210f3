import { Bell } from "./bell.tsx";
import { Page, Popover } from "./panel.tsx";
import { type InboxRootProps, Root } from "./root.tsx";

/** What is around the contents of an inbox: the page, or the bell and its popover. */
export function Frame({ children, ...props }: InboxRootProps) {
  return (
    <Root {...props}>
      {props.layout === "page" ? (
        <Page>{children}</Page>
      ) : (
        <>
          <Bell />
          <Popover>{children}</Popover>
        </>
      )}
    </Root>
  );
}
