"""The specifications that ship, with the tables their prior models need."""
