export const checklist = {
  title: "Set up your site",
  text: "Four steps, in any order. You can leave and come back.",
  progress: (done: number, steps: number) => `${done} of ${steps} done`,
  link: (done: number, steps: number) => `Set-up ${done}/${steps}`,
  linkSuffix: " steps done",
  done: "Done",
  dismiss: "Hide this list",
  dismissed: "The list is hidden. Every step is on its own page.",
  steps: {
    upstream: {
      title: "Connect a model",
      text: "Choose a provider and paste its key. Until then, a built-in demo model answers.",
      action: "Connect a model",
    },
    plans: {
      title: "Choose the plans",
      text: "Plans limit what a key may use. People choose among the plans that you offer.",
      action: "Look at the plans",
      confirm: "Keep these plans",
    },
    name: {
      title: "Name the site",
      text: "The name is on every page, so that people know whose site this is.",
      label: "Name",
      action: "Save name",
      missing: "Enter a name.",
    },
    share: {
      title: "Share it",
      text: {
        open: "Anyone with this link can sign up and get a key.",
        invite: "Only people with an invitation can sign up. Create a link for each person.",
        closed: "No one can sign up now. Allow it first.",
      },
      link: "Link to your site",
      copy: "Copy link",
      invite: "Create an invitation",
      mode: "Change who can sign up",
      confirm: "I have shared it",
    },
  },
};
