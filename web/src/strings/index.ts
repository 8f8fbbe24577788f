// A second language is a second folder of this shape, chosen here. Imported as `* as strings`, so that
// a page loads only the words that it shows.
export * from "./en";
