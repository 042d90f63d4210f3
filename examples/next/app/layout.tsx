import "@belfry/react/styles.css";
import "./globals.css";
import type { Metadata } from "next";
import { cookies } from "next/headers";
import type { ReactNode } from "react";
import { firstPage } from "../server/belfry.ts";
import { readSession, SESSION_COOKIE } from "../server/session.ts";
import { Bell } from "./bell.tsx";

export const metadata: Metadata = { title: "Belfry in Next.js" };

export default async function Layout({ children }: { readonly children: ReactNode }) {
  const cookie = (await cookies()).get(SESSION_COOKIE)?.value;
  const session = await readSession(cookie);
  return (
    <html lang="en">
      <body>
        <header>
          <strong>Belfry in Next.js</strong>
          {session !== null && cookie !== undefined && <Bell key={session.user} user={session.user} initial={await firstPage(cookie)} />}
        </header>
        {children}
      </body>
    </html>
  );
}
