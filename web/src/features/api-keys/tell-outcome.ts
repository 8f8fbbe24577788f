import { messageOf } from "@/api/problem";
import { toast } from "@/components/ui/toast";
import * as strings from "@/strings";

/** For a change that the list has shown already: how it ended, told where no dialog is open any more. */
export function tellOutcome(change: Promise<unknown>, name: string, done: string): void {
  change.then(
    () => toast(done),
    (error: unknown) => toast(strings.keys.unchanged(name, messageOf(error)), "danger"),
  );
}
