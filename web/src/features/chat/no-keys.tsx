import Link from "next/link";
import { buttonStyles } from "@/components/ui/button";
import * as strings from "@/strings";

const words = strings.chat;

export function NoKeys() {
  return (
    <div className="mx-auto w-full max-w-md px-4 py-24 text-center">
      <h1 className="text-2xl font-semibold tracking-tight">{words.noKeys}</h1>
      <p className="mt-3 leading-7 text-muted">{words.noKeysText}</p>
      <Link href="/keys/" className={`${buttonStyles()} mt-6`}>
        {words.createKey}
      </Link>
    </div>
  );
}
