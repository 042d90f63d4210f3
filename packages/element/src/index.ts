export { BelfryInbox, type GetToken, type NavigateDetail } from "./belfry-inbox.tsx";
