import "./globals.css";
import "@belfry/react/styles.css";
import type { Metadata } from "next";
import { cookies } from "next/headers";
import { connection } from "next/server";
import { type ReactNode, Suspense } from "react";
import { firstPage } from "../server/belfry.ts";
import { readSession, SESSION_COOKIE } from "../server/session.ts";
import { Bell } from "./bell.tsx";

export const metadata: Metadata = { title: "Belfry in Next.js" };

export default function Layout({ children }: { readonly children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <header>
          <strong>Belfry in Next.js</strong>
          <Suspense>
            <SessionBell />
          </Suspense>
        </header>
        {children}
      </body>
    </html>
  );
}

/** The bell of whoever is signed in. It is read for each request, so the rest of the page can be prerendered without it. */
async function SessionBell() {
  await connection();
  const cookie = (await cookies()).get(SESSION_COOKIE)?.value;
  const session = await readSession(cookie);
  return session !== null && cookie !== undefined ? (
    <Bell key={session.user} user={session.user} initial={await firstPage(cookie)} />
  ) : null;
}
