package com.example.local;

public final class Common {
    public static final String NAME = "larder";
}
