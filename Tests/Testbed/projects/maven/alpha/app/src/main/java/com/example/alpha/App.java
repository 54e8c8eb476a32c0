package com.example.alpha;

import com.google.gson.Gson;

public final class App {
    public static void main(String[] arguments) throws Exception {
        System.out.println(new Gson().toJson(Core.shout("larder")));
    }
}
