import { messageOf } from "@/api/problem";
import { toast } from "@/components/ui/toast";
import * as strings from "@/strings";

/** Report the outcome of an optimistic change after its dialog has closed. */
export function tellOutcome(change: Promise<unknown>, name: string, done: string): void {
  change.then(
    () => toast(done),
    (error: unknown) => toast(strings.keys.unchanged(name, messageOf(error)), "danger"),
  );
}
