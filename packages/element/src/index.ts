export { BelfryInbox, type GetToken, type NavigateDetail, type PageElement } from "./belfry-inbox.tsx";
