import type { Metadata } from "next";
import { ChatPage } from "@/features/chat/chat-page";
import * as strings from "@/strings";

export const metadata: Metadata = { title: strings.titles.chat };

export default function Page() {
  return <ChatPage />;
}
