// To add a language, add a folder with the same shape as `en` and select it here. Import as
// `* as strings` so that each page loads only the texts it shows.
export * from "./en";
