"use client";

import { Monitor, Moon, Sun } from "lucide-react";
import { Menu, MenuChoice } from "@/components/ui/menu";
import { strings } from "@/strings";
import { useTheme } from "./theme";

const icon = "size-4";
const { themes } = strings.nav;

const options = [
  { value: "light" as const, label: themes.light, icon: <Sun aria-hidden className={icon} /> },
  { value: "dark" as const, label: themes.dark, icon: <Moon aria-hidden className={icon} /> },
  { value: "system" as const, label: themes.system, icon: <Monitor aria-hidden className={icon} /> },
];

export function ThemeMenu() {
  const [theme, setTheme] = useTheme();
  return (
    <Menu
      label={strings.nav.theme}
      icon={
        <>
          <Sun aria-hidden className={`${icon} dark:hidden`} />
          <Moon aria-hidden className={`${icon} hidden dark:block`} />
        </>
      }
    >
      <MenuChoice value={theme} options={options} onChoose={setTheme} />
    </Menu>
  );
}
